create table items (id serial primary key, title text not null, cents int not null, discount int, seller text not null);
insert into items (title, cents, discount, seller) select (array['bicycle','sofa','camera','desk'])[1+g%4]||' no '||g, 500+g%900*10, case when g%5=0 then 10 end, 'seller'||(g%80) from generate_series(1,2500) g;
create table offers (id serial primary key, item_id int not null, cents int not null, note varchar(80) not null, created_at timestamptz default now()); analyze;
