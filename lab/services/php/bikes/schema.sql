create table bikes (id int primary key auto_increment, model varchar(30) not null, frame_size varchar(3) null, battery int not null, station_id int not null, key (station_id));
insert into bikes (model, frame_size, battery, station_id) select concat('Model ', seq % 5), elt(1 + seq % 3, 'S', 'M', 'L'), seq * 7 % 101, 1 + seq % 80 from seq_1_to_2400;
create table rentals (id int primary key auto_increment, bike_id int not null, rider_id int not null, begun datetime not null, key (rider_id));
insert into rentals (bike_id, rider_id, begun) select 1 + seq % 2400, 1 + seq % 700, now() - interval seq minute from seq_1_to_5000;
