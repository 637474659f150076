create table shelves (id serial primary key, room text not null);
insert into shelves (room) select 'Room '||g from generate_series(1,40) g;
create table books (id serial primary key, title text not null, author text not null, shelf_id int);
insert into books (title, author, shelf_id) select 'Volume '||g||' of the '||(array['sea','north','winter','garden'])[1+g%4], 'Author '||(g%300), 1+g%40 from generate_series(1,3000) g;
create table loans (id serial primary key, member_id int not null, book_id int not null, due_on date not null);
insert into loans (member_id, book_id, due_on) select g%900, 1+g%3000, current_date+g%28 from generate_series(1,4000) g; create index on loans(member_id); analyze;
