create table restaurants (id serial primary key, name text not null, street text, opens jsonb);
insert into restaurants (name, street, opens) select 'Kitchen '||g, (g%200)||' Mill Lane', jsonb_build_object('from', 10+g%3, 'to', 22) from generate_series(1,500) g;
create table dishes (id serial primary key, restaurant_id int not null, title text not null, cents int not null);
insert into dishes (restaurant_id, title, cents) select 1+g%500, 'Dish '||g, 600+g%1400 from generate_series(1,5000) g; create index on dishes(restaurant_id);
create table baskets (id serial primary key, restaurant_id int not null, lines jsonb not null, created_at timestamptz default now());
insert into baskets (restaurant_id, lines) select 1+g%500, '[]' from generate_series(1,3000) g; analyze;
