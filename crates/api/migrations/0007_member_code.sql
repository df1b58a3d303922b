-- The code by which a member is known at the till, and who else may find them.

-- What a device makes the code from, encrypted. It ends with the session that asked for it, however that ends.
-- `last_step` is that of the latest code that was accepted: neither it nor an earlier one is accepted again.
create table code_keys (
    id text not null primary key,
    member_id text not null references members (id),
    session_id text not null unique references sessions (id) on delete cascade,
    device_name text not null,
    secret text not null,
    last_step bigint not null,
    created_at bigint not null,
    last_used_at bigint
);
create index code_keys_by_member on code_keys (member_id);

-- Names a member for one basket: for a few minutes, and to one staff session or key.
create table visits (
    token_hash text not null primary key,
    caller text not null,
    member_id text not null references members (id),
    expires_at bigint not null,
    used_at bigint
);
create index visits_by_member on visits (member_id);
create index visits_by_end on visits (expires_at);

-- As in E.164. Members say it themselves and nobody has proved it, so two of them may say the same.
alter table members add column phone text;
create index members_by_phone on members (phone);
