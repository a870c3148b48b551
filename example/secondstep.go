package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/seed3b05b409/auth"
)

// The second step of a sign-in. A cookie of the first one says who it is for; there
// is no session yet.

// secondStepPath begins the paths of the pages, one for each kind of code.
const secondStepPath = "/sign-in/second-step/"

// Kinds of codes.
const (
	appCode    = "app"
	mailCode   = "mail"
	backupCode = "backup"
)

func (s *site) secondStepRoutes(mux *http.ServeMux) {
	for kind, verify := range map[string]codeFunc{appCode: s.verifyAppCode, mailCode: s.verifyMailCode, backupCode: s.verifyBackupCode} {
		mux.Handle("GET "+secondStepPath+kind, s.visitorWith("second-step", kind))
		mux.Handle("POST "+secondStepPath+kind, s.form(secondStepPath+kind, s.secondStep(kind, verify)))
	}
	mux.Handle("POST "+secondStepPath+"send", s.form(secondStepPath+mailCode, s.sendSignInCode))
}

// A codeFunc checks a code.
type codeFunc func(ctx context.Context, in auth.VerifyTwoFactorRequest, opts ...auth.CallOption) error

func (s *site) verifyAppCode(ctx context.Context, in auth.VerifyTwoFactorRequest, opts ...auth.CallOption) error {
	_, err := s.plugins.twoFactor.VerifyTOTP.Call(ctx, in, opts...)
	return err
}

func (s *site) verifyMailCode(ctx context.Context, in auth.VerifyTwoFactorRequest, opts ...auth.CallOption) error {
	_, err := s.plugins.twoFactor.VerifyOTP.Call(ctx, in, opts...)
	return err
}

func (s *site) verifyBackupCode(ctx context.Context, in auth.VerifyTwoFactorRequest, opts ...auth.CallOption) error {
	_, err := s.plugins.twoFactor.VerifyBackupCode.Call(ctx, auth.VerifyBackupCodeRequest{
		Code: in.Code, TrustDevice: in.TrustDevice,
	}, opts...)
	return err
}

// secondStep ends a sign-in with a code.
func (s *site) secondStep(kind string, verify codeFunc) formFunc {
	return func(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
		err = verify(r.Context(), auth.VerifyTwoFactorRequest{
			Code: typedCode(r), TrustDevice: r.PostForm.Has("trust"),
		}, auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
		if errors.Is(err, auth.ErrTooManyAttemptsRequestNewCode) && kind != mailCode {
			return "/sign-in", "", auth.NewError(http.StatusBadRequest, auth.ErrTooManyAttemptsRequestNewCode,
				"Too many wrong codes. Please sign in again.")
		}
		if err != nil {
			next, err = startAgain(err)
			return next, "", err
		}
		return "/account", "", nil
	}
}

// sendSignInCode mails a code to who is in the second step.
func (s *site) sendSignInCode(w http.ResponseWriter, r *http.Request) (next, notice string, err error) {
	_, err = s.plugins.twoFactor.SendOTP.Call(r.Context(), auth.SendTwoFactorOTPRequest{},
		auth.WithRequest(r), auth.ForwardHeaders(w), auth.WithRateLimit())
	if err != nil {
		next, err = startAgain(err)
		return next, "", err
	}
	return secondStepPath + mailCode, "We sent you a mail with a code.", nil
}

// startAgain leads back to the first step, with plain words, if that counts no more.
func startAgain(err error) (next string, _ error) {
	if errors.Is(err, auth.ErrInvalidTwoFactorCookie) {
		return "/sign-in", auth.NewError(http.StatusUnauthorized, auth.ErrInvalidTwoFactorCookie, "That took too long. Please sign in again.")
	}
	return "", err
}

// typedCode is the code in a form without the spaces that people type and apps show.
func typedCode(r *http.Request) string {
	return strings.ReplaceAll(r.PostForm.Get("code"), " ", "")
}
