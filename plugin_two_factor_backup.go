package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// BackupCodeOptions are those of the codes for a user who has lost the app. Each
// signs in once.
type BackupCodeOptions struct {
	Amount int // default: 10
	Length int // without the dash behind the fifth character; default: 10

	// Generate makes codes in place of Amount and Length.
	Generate func(ctx context.Context) ([]string, error)

	Storage BackupCodeStorage

	// Password says who needs one to make new codes.
	Password PasswordRule
}

// BackupCodeStorage says how the codes of a user are stored, together as one text.
// The zero value encrypts them under the secret of the instance.
type BackupCodeStorage struct {
	Plain bool // as they are: whoever reads the database has them all

	// Hashed stores of each code its SHA-256, encrypted or not, so that nobody can
	// show it again: ViewBackupCodes fails. It needs a Length of at least 19. Codes
	// from before are no good any more, and the original cannot verify any.
	Hashed bool

	// Encrypt and Decrypt take the place of that, both together.
	Encrypt func(ctx context.Context, codes string) (string, error)
	Decrypt func(ctx context.Context, stored string) (string, error)
}

func (o *BackupCodeStorage) check() error {
	switch {
	case (o.Encrypt == nil) != (o.Decrypt == nil):
		return errors.New("BackupCodes.Storage needs Encrypt and Decrypt together")
	case o.Plain && o.Encrypt != nil:
		return errors.New("BackupCodes.Storage is Plain or encrypts, not both")
	}
	return nil
}

// minHashedCode is how many characters have 112 bits.
const minHashedCode = 19

// newBackupCodes makes codes and the text to store of them.
func (p *TwoFactor) newBackupCodes(ctx context.Context) (codes []string, stored string, err error) {
	if p.BackupCodes.Generate != nil {
		codes, err = p.BackupCodes.Generate(ctx)
	} else {
		codes = p.randomBackupCodes()
	}
	if err != nil {
		return nil, "", err
	}
	kept := make([]string, len(codes))
	for i, code := range codes {
		kept[i] = p.BackupCodes.Storage.kept(code)
	}
	stored, err = p.storedCodes(ctx, kept)
	return codes, stored, err
}

// kept is what is stored of a code, before all of them are encrypted.
func (o *BackupCodeStorage) kept(code string) string {
	if o.Hashed {
		return HashIdentifier(code)
	}
	return code
}

func (p *TwoFactor) randomBackupCodes() []string {
	codes := make([]string, p.BackupCodes.Amount)
	for i := range codes {
		code := RandomString(p.BackupCodes.Length, Alphanumeric)
		half := min(5, len(code))
		codes[i] = code[:half] + "-" + code[half:]
	}
	return codes
}

// storedCodes is the text that is stored of codes as they are kept.
func (p *TwoFactor) storedCodes(ctx context.Context, codes []string) (string, error) {
	if codes == nil {
		codes = []string{}
	}
	array, err := json.Marshal(codes)
	if err != nil {
		return "", err
	}
	switch storage := &p.BackupCodes.Storage; {
	case storage.Encrypt != nil:
		return storage.Encrypt(ctx, string(array))
	case storage.Plain:
		return string(array), nil
	}
	return p.seal(string(array))
}

// codesOf returns the codes that a user has left as they are kept, nil if the text is
// none of codes.
// Errors: it cannot be decrypted.
func (p *TwoFactor) codesOf(ctx context.Context, row *twoFactorRow) (codes []string, err error) {
	text := row.BackupCodes
	switch storage := &p.BackupCodes.Storage; {
	case storage.Decrypt != nil:
		text, err = storage.Decrypt(ctx, text)
	case !storage.Plain:
		text, err = p.open(text)
	}
	if err != nil || json.Unmarshal([]byte(text), &codes) != nil {
		return nil, err
	}
	return codes, nil
}

// VerifyBackupCodeRequest is the body of POST /two-factor/verify-backup-code.
// DisableSession uses the code up without signing in.
type VerifyBackupCodeRequest struct {
	Code           string `json:"code"`
	DisableSession bool   `json:"disableSession,omitempty"`
	TrustDevice    bool   `json:"trustDevice,omitempty"`
}

// verifyBackupCode takes a backup code.
func (p *TwoFactor) verifyBackupCode(ctx context.Context, in VerifyBackupCodeRequest) (*VerifyTwoFactorResponse, error) {
	f, err := p.caller(ctx, methodBackupCode)
	if err != nil {
		return nil, err
	}
	if f.row == nil {
		return nil, errBackupCodesNotEnabled()
	}
	if _, err := p.codesOf(ctx, f.row); err != nil {
		return nil, err
	}
	check := func(ctx context.Context) (bool, error) { return p.spend(ctx, f.row, in.Code) }
	var end *admission
	err = p.attempt(ctx, f, NewError(http.StatusUnauthorized, ErrInvalidBackupCode, "Invalid backup code"), check, func(ctx context.Context) error {
		if in.DisableSession && f.signsIn() {
			return p.forgive(ctx, f.row)
		}
		end, err = p.use(ctx, f, in.TrustDevice)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.services.Event(ctx, Event{Name: EventBackupCodeUsed, UserID: f.user.ID})
	if end == nil {
		return &VerifyTwoFactorResponse{User: p.services.VisibleUser(f.user)}, nil
	}
	return p.finish(ctx, f, end), nil
}

func errBackupCodesNotEnabled() error {
	return NewError(http.StatusBadRequest, ErrBackupCodesNotEnabled, "Backup codes aren't enabled")
}

// spend removes a code from those of a user and reports whether it was there. Of any
// number of callers with the same code one is told so; those with other codes try
// again with what the others have left.
func (p *TwoFactor) spend(ctx context.Context, row *twoFactorRow, code string) (bool, error) {
	for range p.BackupCodes.Amount + 1 {
		codes, err := p.codesOf(ctx, row)
		if err != nil {
			return false, err
		}
		left, found := withoutCode(codes, p.BackupCodes.Storage.kept(code))
		if !found {
			return false, nil
		}
		stored, err := p.storedCodes(ctx, left)
		if err != nil {
			return false, err
		}
		changed, err := p.rows.Increment(ctx, nil, map[string]any{"backupCodes": stored},
			Where("id", row.ID), Where("backupCodes", row.BackupCodes))
		if err != nil || changed != nil {
			return changed != nil, err
		}
		if row, err = p.row(ctx, row.UserID); err != nil || row == nil {
			return false, err
		}
	}
	return false, NewError(http.StatusConflict, "", "Failed to verify backup code. Please try again.")
}

// withoutCode returns the other codes, after looking at all of them.
func withoutCode(codes []string, code string) (left []string, found bool) {
	left = slices.DeleteFunc(slices.Clone(codes), func(c string) bool {
		return subtle.ConstantTimeCompare([]byte(c), []byte(code)) == 1
	})
	return left, len(left) < len(codes)
}

// BackupCodesResponse is the answer with all codes of a user.
type BackupCodesResponse struct {
	Status      bool     `json:"status"`
	BackupCodes []string `json:"backupCodes" check:"nonnull"`
}

// generateBackupCodes replaces the codes of the signed-in user.
func (p *TwoFactor) generateBackupCodes(ctx context.Context, in TwoFactorPasswordRequest) (*BackupCodesResponse, error) {
	current, err := p.services.Session(ctx, SessionRequired)
	if err != nil {
		return nil, err
	}
	notEnabled := NewError(http.StatusBadRequest, ErrTwoFactorNotEnabled, "Two factor isn't enabled")
	if !hasTwoFactor(current.User) {
		return nil, notEnabled
	}
	if err := p.confirmPassword(ctx, current.User, in.Password, p.BackupCodes.Password); err != nil {
		return nil, err
	}
	codes, stored, err := p.newBackupCodes(ctx)
	if err != nil {
		return nil, err
	}
	n, err := p.rows.Update(ctx, map[string]any{"backupCodes": stored}, Where("userId", current.User.ID))
	switch {
	case err != nil:
		return nil, err
	case n == 0:
		return nil, notEnabled
	}
	p.services.Event(ctx, Event{Name: EventBackupCodesGenerated, UserID: current.User.ID, SessionID: current.Session.ID})
	return &BackupCodesResponse{Status: true, BackupCodes: codes}, nil
}

// ViewBackupCodesRequest is the input of ViewBackupCodes. The caller has made sure
// that the user may see them.
type ViewBackupCodesRequest struct {
	UserID string `json:"userId"`
}

// viewBackupCodes returns the codes that a user has left.
func (p *TwoFactor) viewBackupCodes(ctx context.Context, in ViewBackupCodesRequest) (*BackupCodesResponse, error) {
	if p.BackupCodes.Storage.Hashed {
		return nil, NewError(http.StatusBadRequest, "", "Backup codes are hashed and cannot be shown again")
	}
	row, err := p.row(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, errBackupCodesNotEnabled()
	}
	codes, err := p.codesOf(ctx, row)
	if err == nil && codes == nil {
		err = NewError(http.StatusBadRequest, ErrInvalidBackupCode, "Invalid backup code")
	}
	if err != nil {
		return nil, err
	}
	return &BackupCodesResponse{Status: true, BackupCodes: codes}, nil
}
