create table policies (id int primary key auto_increment, holder varchar(60) not null, age int not null);
insert into policies (holder, age) select concat('holder ', seq), 18 + seq % 60 from seq_1_to_3000;
