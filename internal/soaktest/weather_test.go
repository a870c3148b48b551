package soaktest

import "sync"

// A weather knows which faults there are, and so what may go wrong with a request.
type weather struct {
	mu      sync.Mutex
	changed sync.Cond
	sky     sky
}

// A sky is what the weather looks like, and how often it has turned bad.
type sky struct{ losing, failing, losses, failures int }

func newWeather() *weather {
	w := new(weather)
	w.changed.L = &w.mu
	return w
}

// begin tells of a fault that is about to come. Answers may be lost in it, or be 5xx.
func (w *weather) begin(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.loses {
		w.sky.losing++
		w.sky.losses++
	}
	if f.fails {
		w.sky.failing++
		w.sky.failures++
	}
}

// end tells that a fault is over and the server has recovered.
func (w *weather) end(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.loses {
		w.sky.losing--
	}
	if f.fails {
		w.sky.failing--
	}
	w.changed.Broadcast()
}

func (w *weather) look() sky {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sky
}

// since reports whether an answer may have been lost or spoilt since somebody looked.
func (w *weather) since(before sky) (lost, failed bool) {
	now := w.look()
	return before.losing > 0 || now.losses > before.losses, before.failing > 0 || now.failures > before.failures
}

// await waits until there is no fault.
func (w *weather) await() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.sky.losing+w.sky.failing > 0 {
		w.changed.Wait()
	}
}
