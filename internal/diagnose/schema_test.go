package diagnose_test

import (
	"strings"
	"testing"

	"github.com/inquesthq/inquest"
)

func TestASchemaMismatchNamesTheColumnOrTable(t *testing.T) {
	for _, c := range []struct{ text, names, sweep string }{
		{`ERROR: column "tier" of relation "members" does not exist`, "column tier of members", "-e 'tier'"},
		{`ERROR:  column "name" does not exist at character 19`, "column name", "-e 'name'"},
		{`PG::UndefinedColumn: ERROR:  column users.loyalty_tier does not exist\nLINE 1: SELECT users.loyalty_tier FROM users`, "column loyalty_tier of users", "-e 'loyalty_tier'"},
		{"column m.tier does not exist\nSTATEMENT:  SELECT m.tier FROM members AS m WHERE id = 1", "column tier of members", "-e 'tier'"},
		{`column m.tier does not exist`, "column m.tier", "-e 'tier'"},
		{`{"err":"pq: column \"tier\" of relation \"members\" does not exist"}`, "column tier of members", "-e 'tier'"},
		{`relation "shop.vouchers" does not exist`, "table shop.vouchers", "-e 'shop.vouchers'"},
		{`django.db.utils.ProgrammingError: relation "app_voucher" does not exist`, "table app_voucher", "-e 'app_voucher'"},
		{`django.db.utils.OperationalError: (1054, "Unknown column 'members.tier' in 'field list'")`, "column members.tier", "-e 'tier'"},
		{`django.db.utils.OperationalError: no such column: app_member.tier`, "column app_member.tier", "-e 'tier'"},
		{"Error 1054 (42S22): Unknown column 'm.tier' in 'field list'; SELECT m.tier FROM `members` m", "column tier of members", "-e 'tier'"},
		{`Table 'shop.vouchers' doesn't exist`, "table shop.vouchers", "-e 'shop.vouchers'"},
		{`Field 'tier' doesn't have a default value`, "column tier", "-e 'tier'"},
		{`SQLITE_ERROR: no such table: vouchers`, "table vouchers", "-e 'vouchers'"},
		{`table members has no column named tier`, "column tier of members", "-e 'tier'"},
		{`Msg 207, Level 16, State 1: Invalid column name 'Tier'.`, "column Tier", "-e 'Tier'"},
		{`SqlException: Invalid object name 'dbo.Vouchers'.`, "table dbo.Vouchers", "-e 'dbo.Vouchers'"},
		{`ORA-00904: "M"."TIER": invalid identifier`, "column M.TIER", "-e 'TIER'"},
		{`ORA-00942: table or view "SHOP"."VOUCHERS" does not exist`, "table SHOP.VOUCHERS", "-e 'SHOP.VOUCHERS'"},
		{`Schema-validation: missing column [tier] in table [members]`, "column tier of members", "-e 'tier'"},
		{`Schema-validation: missing table [vouchers]`, "table vouchers", "-e 'vouchers'"},
		{`ActiveModel::UnknownAttributeError: unknown attribute 'tier' for Member.`, "column tier of Member", "-e 'tier'"},
		{"PrismaClientKnownRequestError: The column `Member.tier` does not exist in the current database.", "column Member.tier", "-e 'tier'"},
		{"The table `public.Voucher` does not exist in the current database.", "table public.Voucher", "-e 'public.Voucher'"},
		// What names nothing, or what no name can be, is not made up.
		{`ORA-00942: table or view does not exist`, "", "-e '<column>'"},
		{"PrismaClientKnownRequestError: P2022: The column `(not available)` does not exist in the current database.", "", "-e '<column>'"},
		{`column "x'; rm -rf /; '" of relation "members" does not exist`, "", "-e '<column>'"},
	} {
		v := verdict(says("cart", c.text, 0.9, 0))
		if v.Mechanism != "bad-deploy/schema-mismatch" {
			t.Errorf("%s: %s", c.text, name(v))
			continue
		}
		if got := strings.Contains(v.Summary, "the errors name "+c.names+"."); got != (c.names != "") || c.names == "" && strings.Contains(v.Summary, "the errors name") {
			t.Errorf("%s: %q, want %q", c.text, v.Summary, c.names)
		}
		if sweep := sweepOf(v); !strings.HasSuffix(sweep.Command, "-w "+c.sweep) || !strings.Contains(sweep.Text, c.names) {
			t.Errorf("%s: %+v, want %s", c.text, sweep, c.sweep)
		}
	}
}

func sweepOf(v *inquest.Verdict) inquest.Action {
	for _, a := range v.Actions {
		if strings.HasPrefix(a.Command, "git grep") {
			return a
		}
	}
	return inquest.Action{}
}

// A long line before the name does not push it out of the text, and a trace says where the program was.
func TestASchemaMismatchNamesThePlaceAndIsQuotedWhereItNamesSomething(t *testing.T) {
	thrownAt := func(p *inquest.LogPattern) {
		thrown("SqlError", `column "tier" does not exist`)(p)
		p.Examples[0].Exception.AppFrame, p.Examples[0].Exception.TopFrame = "Cart.load (Cart.java:40)", "Driver.run (Driver.java:9)"
	}
	v := verdict(says("cart", "request failed "+strings.Repeat("id=0123456789abcdef ", 12)+"\nSqlError: column \"tier\" does not exist\n\tat Cart.load(Cart.java:40)", 0.9, 0, thrownAt),
		says("db-1", "column \"colour\" does not exist at character 3\nSTATEMENT: SELECT colour FROM baskets", -1, 0))
	if want := "the errors name columns tier, colour (asked for at Cart.load (Cart.java:40))."; !strings.Contains(v.Summary, want) {
		t.Errorf("%q, want %q", v.Summary, want)
	}
	if want := "-w -e 'tier' -e 'colour'"; !strings.HasSuffix(sweepOf(v).Command, want) || !strings.Contains(sweepOf(v).Text, "Cart.java:40") {
		t.Errorf("%+v, want %s", sweepOf(v), want)
	}
	for _, l := range v.Chain {
		if l.Role == inquest.RoleCause && !strings.Contains(l.Text, `column "tier" does not exist`) {
			t.Errorf("the cause is cut before the name: %q", l.Text)
		}
	}
}
