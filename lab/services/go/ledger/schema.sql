create table accounts (id bigserial primary key, owner text not null, balance bigint not null);
insert into accounts (owner, balance) select 'Customer '||g, 100000+g from generate_series(1,2000) g;
create table entries (id bigserial primary key, account_id bigint not null references accounts(id), at timestamptz not null default now(), cents bigint not null, text varchar(60) not null);
insert into entries (account_id, cents, text, at) select 1+g%2000, (g%200-90)*100, 'transfer '||g, now()-g*interval '1 minute' from generate_series(1,20000) g; create index on entries(account_id, at); analyze;
