create table events (id serial primary key, name text not null, venue text not null, starts_at timestamptz not null, price_cents int not null, seats_left int not null);
insert into events (name, venue, starts_at, price_cents, seats_left) select 'Event '||g, 'Hall '||(g%9), now()+g*interval '1 day', 1500+g%60*100, 500 from generate_series(1,400) g;
create table coupons (code text primary key, percent int not null);
insert into coupons select 'SAVE'||g, 5+g%20 from generate_series(1,50) g;
create table orders (id serial primary key, event_id int not null references events(id), seats int not null check (seats between 1 and 20), email text not null, total_cents int not null, state text not null default 'new', created_at timestamptz not null default now());
insert into orders (event_id, seats, email, total_cents) select 1+g%400, 1+g%4, 'visitor'||g||'@mail.example', 4000 from generate_series(1,5000) g;
analyze;
