create table huts (id int primary key auto_increment, name varchar(40) not null, region varchar(10) not null, beds int not null, altitude int not null, warden varchar(60) null);
insert into huts (name, region, beds, altitude, warden) select concat('Hut ', seq), elt(1 + seq % 4, 'north', 'south', 'east', 'west'), 12 + seq % 30, 1400 + seq * 3, if(seq % 5 = 0, null, concat('{"name":"W', seq, '"}')) from seq_1_to_400;
create table stays (id int primary key auto_increment, hut_id int not null, night int not null, beds int not null, guest int not null, key (hut_id, night), key (guest));
insert into stays (hut_id, night, beds, guest) select 1 + seq % 400, seq % 90, 1 + seq % 3, 1 + seq % 900 from seq_1_to_9000;
