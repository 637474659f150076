create table recipes (id int primary key auto_increment, title varchar(60) not null, minutes int not null, steps text null);
insert into recipes (title, minutes, steps) select concat(elt(1 + seq % 5, 'Soup', 'Pie', 'Stew', 'Bread', 'Salad'), ' no. ', seq), 10 + seq % 70, if(seq % 3 = 0, null, repeat('Chop and stir. ', 8)) from seq_1_to_3000;
create table photos (id int primary key auto_increment, recipe_id int not null, data longblob not null);
create table favourites (cook_id int not null, recipe_id int not null, key (cook_id));
insert into favourites select 1 + seq % 800, 1 + seq % 3000 from seq_1_to_8000;
