create table shows (id int primary key auto_increment, title varchar(80) not null, seats_left int not null, cents int not null);
insert into shows (title, seats_left, cents) select concat('Evening ', seq), 100000, 900 + seq * 7 % 4000 from seq_1_to_400;
create table bookings (id int primary key auto_increment, show_id int not null, customer_id int not null, seats int not null, key (customer_id), key (show_id));
insert into bookings (show_id, customer_id, seats) select 1 + seq % 400, 1 + seq * 13 % 900, 1 + seq % 4 from seq_1_to_6000;
