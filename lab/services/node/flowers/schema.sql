create table bouquets (id int primary key auto_increment, name varchar(60) not null, cents int not null);
insert into bouquets (name, cents) select concat('Bouquet ', seq), 1500 + seq * 11 from seq_1_to_90;
create table orders (id int primary key auto_increment, bouquet_id int not null, street varchar(80) not null, state varchar(12) not null);
insert into orders (bouquet_id, street, state) select 1 + seq % 90, concat('Lane ', seq), 'done' from seq_1_to_4000;
