create table parcels (id bigserial primary key, receiver text not null, postcode text not null, grams int not null, note text, state text not null default 'accepted', created_at timestamptz not null default now());
insert into parcels (receiver, postcode, grams, note) select 'Receiver '||g, lpad((g%99999)::text, 5, '0'), 100+g%9000, case when g%3=0 then 'leave with neighbour' end from generate_series(1,4000) g;
create table depots (id serial primary key, name text not null, region text not null);
insert into depots (name, region) select 'Depot '||g, (array['north','south','west','east'])[1+g%4] from generate_series(1,80) g;
analyze;
