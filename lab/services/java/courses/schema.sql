create table courses (id bigserial primary key, title text not null, lessons int not null);
insert into courses (title, lessons) select 'Course '||g, 5+g%20 from generate_series(1,200) g;
create table enrolments (id bigserial primary key, learner_id bigint not null, course_id bigint not null, created_at timestamptz default now());
insert into enrolments (learner_id, course_id) select g%1500, 1+g%200 from generate_series(1,6000) g;
create table lesson_views (id bigserial primary key, learner_id bigint not null, lesson int not null, seen_at timestamptz default now(), detail text default repeat('x',40));
insert into lesson_views (learner_id, lesson) select g%1500, g%20 from generate_series(1,150000) g; create index lesson_views_learner on lesson_views(learner_id); analyze;
