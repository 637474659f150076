create table doctors (id serial primary key, name text not null, specialty text not null);
insert into doctors (name, specialty) select 'Dr. '||chr(65+g%26)||'. Nr '||g, (array['cardiology','dentistry','orthopaedics'])[1+g%3] from generate_series(1,60) g;
create table slots (id serial primary key, doctor_id int not null, starts_at timestamptz not null, taken boolean not null default false);
insert into slots (doctor_id, starts_at) select 1+g%60, now()+g*interval '20 minutes' from generate_series(1,6000) g; create index on slots(doctor_id);
create table patients (id serial primary key, name text not null, insurance text not null);
insert into patients (name, insurance) select 'Patient '||g, (array['public','private','none'])[1+g%3] from generate_series(1,3000) g;
create table appointments (id serial primary key, patient_id int not null, doctor_id int not null, fee_cents int not null, created_at timestamptz default now());
insert into appointments (patient_id, doctor_id, fee_cents) select 1+g%3000, 1+g%60, 6500 from generate_series(1,4000) g; analyze;
