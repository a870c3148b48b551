package bench

import (
	"context"
	"net/http"

	"github.com/seed3b05b409/auth/internal/bench/orderspb"
	"github.com/seed3b05b409/auth/internal/bench/orderspb/orderspbconnect"
)

// connectOrders is the operation as an author of a connect service writes it.
type connectOrders struct{}

func (connectOrders) Place(ctx context.Context, in *orderspb.Order) (*orderspb.Receipt, error) {
	out, err := place(ctx, order{Item: in.Item, Count: int(in.Count), Gift: in.Gift})
	return &orderspb.Receipt{Item: out.Item, Total: int32(out.Total)}, err
}

func connectMux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(orderspbconnect.NewOrdersHandler(connectOrders{}))
	return mux
}
