package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inquesthq/inquest/guard"
)

// service is the business: it knows nothing of breakers, ids or records. What it returns as an error, the guard answers.
type service struct {
	orders    *store
	inventory inventory
	payment   payment
	query     func(context.Context, func(context.Context) error) error // calls the database
}

// request is what a client sends to complete its checkout.
type request struct {
	CartID       string `json:"cartId"`
	UserID       string `json:"userId"`
	PaymentToken string `json:"paymentToken"`
	SKU          string `json:"sku"`
	Quantity     int    `json:"quantity"`
	Cents        int64  `json:"amountCents"`
}

// maxRequest bounds the body of a request.
const maxRequest = 64 << 10

// complete is POST /api/checkout/complete: it reserves the goods, charges the card and keeps the order.
func (s *service) complete(w http.ResponseWriter, r *http.Request) error {
	var in request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&in); err != nil {
		return malformed(err)
	}
	guard.Annotate(r.Context(), "userId", in.UserID)
	guard.Annotate(r.Context(), "cartId", in.CartID)
	if missing := in.missing(); len(missing) > 0 {
		return guard.BadRequest("MISSING_REQUIRED_FIELDS", "Missing or empty: "+strings.Join(missing, ", ")+".")
	}
	o, err := s.buy(r.Context(), in)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return json.NewEncoder(w).Encode(map[string]string{"orderId": o.ID, "transactionId": o.TransactionID, "status": "CONFIRMED"})
}

// malformed is the answer to a body that is no request; one that is too large the guard knows itself.
func malformed(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return guard.BadRequest("MALFORMED_REQUEST", "The body is not the JSON of a checkout.")
}

// missing lists the required fields that are not there, in the order of the documentation.
func (in *request) missing() []string {
	var out []string
	for _, f := range []struct {
		name string
		set  bool
	}{{"cartId", in.CartID != ""}, {"userId", in.UserID != ""}, {"paymentToken", in.PaymentToken != ""}, {"sku", in.SKU != ""}, {"quantity", in.Quantity > 0}, {"amountCents", in.Cents > 0}} {
		if !f.set {
			out = append(out, f.name)
		}
	}
	return out
}

// buy does what must happen in this order: goods that are not there are not paid for, and what is not paid for is released.
func (s *service) buy(ctx context.Context, in request) (order, error) {
	o := order{ID: "ord_" + rand.Text(), CartID: in.CartID, UserID: in.UserID, Cents: in.Cents, Created: time.Now()}
	if err := s.rebate(ctx, &o); err != nil {
		return o, err
	}
	reservation, err := s.inventory.reserve(ctx, in.SKU, in.Quantity, o.ID)
	if err != nil {
		return o, err
	}
	if o.TransactionID, err = s.payment.charge(ctx, in.PaymentToken, o.Cents, o.ID); err != nil {
		return o, errors.Join(err, s.inventory.release(context.WithoutCancel(ctx), reservation))
	}
	return o, s.query(ctx, func(ctx context.Context) error { return s.orders.insert(ctx, o) })
}

// peer is a service that is spoken to in JSON.
type peer struct {
	url    string
	client *http.Client
}

// post sends in and reads the answer into out. A status is what the caller makes of it. key makes sending twice harmless.
func (p peer) post(ctx context.Context, path, key string, in, out any) (status int, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, strings.NewReader(string(body)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		err = json.NewDecoder(resp.Body).Decode(out)
	}
	return resp.StatusCode, err
}

// unexpected is an answer that the protocol between two services does not know: for the record, not for the client.
func unexpected(who string, status int) error {
	return guard.BadGateway(fmt.Errorf("%s answered %d", who, status))
}

type inventory struct{ peer }

// reserve keeps goods aside for an order.
func (i inventory) reserve(ctx context.Context, sku string, quantity int, order string) (id string, err error) {
	var out struct {
		ID string `json:"reservationId"`
	}
	status, err := i.post(ctx, "/reservations", order, map[string]any{"sku": sku, "quantity": quantity}, &out)
	switch {
	case err != nil:
		return "", err
	case status == http.StatusConflict:
		return "", guard.Conflict("INVENTORY_CONFLICT", "An item of your cart is no longer available.")
	case status != http.StatusCreated:
		return "", unexpected("inventory", status)
	}
	return out.ID, nil
}

// release gives goods back. That it failed is recorded with the failure that led to it.
func (i inventory) release(ctx context.Context, id string) error {
	status, err := i.post(ctx, "/reservations/"+id+"/release", id, struct{}{}, &struct{}{})
	if err == nil && status/100 != 2 {
		err = unexpected("inventory", status)
	}
	return err
}

type payment struct{ peer }

// charge takes the money, once for an order however often it is sent.
func (p payment) charge(ctx context.Context, token string, cents int64, order string) (id string, err error) {
	var out struct {
		ID string `json:"transactionId"`
	}
	status, err := p.post(ctx, "/charges", order, map[string]any{"token": token, "amountCents": cents}, &out)
	switch {
	case err != nil:
		return "", err
	case status == http.StatusPaymentRequired:
		return "", guard.PaymentRequired("PAYMENT_DECLINED", "The payment was declined. Please try another card.")
	case status != http.StatusCreated:
		return "", unexpected("payment", status)
	}
	return out.ID, nil
}
