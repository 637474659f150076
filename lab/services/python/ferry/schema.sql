create table sailings (id int primary key auto_increment, port varchar(20) not null, leaves datetime not null, fare int not null, key (port, leaves));
insert into sailings (port, leaves, fare) select elt(1 + seq % 4, 'north', 'south', 'island', 'reef'), now() + interval seq hour, 900 + seq % 700 from seq_1_to_600;
create table bookings (id int primary key auto_increment, sailing_id int not null, terminal_id int not null, passengers int not null, cents int not null, memo varchar(200) not null);
insert into bookings (sailing_id, terminal_id, passengers, cents, memo) select 1 + seq % 600, 1 + seq % 40, 1 + seq % 5, 1450 * (1 + seq % 5), concat('booked at the ', if(seq % 3, 'quay', 'office'), ' ', repeat('-', 60)) from seq_1_to_60000;
