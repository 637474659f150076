create table vouchers (id bigserial primary key, code text unique not null, room text not null, cents int not null, sold_at timestamptz not null default now(), used_at timestamptz);
insert into vouchers (code, room, cents, sold_at) select to_hex(1000 + g), (array['crypt','lab','bank','submarine'])[1 + g % 4], 4900, now() - g * interval '7 seconds' from generate_series(1, 6000) g;
create table audit_entries (id serial primary key, voucher_id bigint not null, what text not null, at timestamptz not null default now());
