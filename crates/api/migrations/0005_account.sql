-- What members decide about themselves.

-- `own_referral_code` is what a member passes on; `referral_code` is what they came with. Whoever was there before gets
-- theirs when it is first asked for.
alter table members add column own_referral_code text;
create unique index members_by_own_referral_code on members (own_referral_code);

-- `remembered` is 0 on a borrowed device. `seen_at` is when it was last used, as exactly as its end needs it.
alter table sessions add column device text not null default '';
alter table sessions add column seen_at bigint not null default 0;
alter table sessions add column remembered bigint not null default 1;
update sessions set seen_at = created_at;

-- What a member agreed to be written to about, each time that it changed, and which terms they agreed to.
create table consent_changes (
    member_id text not null references members (id),
    at bigint not null,
    consents text not null,
    primary key (member_id, at)
);
create table agreements (
    member_id text not null references members (id),
    version bigint not null,
    at bigint not null,
    primary key (member_id, version)
);
insert into consent_changes (member_id, at, consents)
    select id, since * 86400000, consents from members where consents is not null;
insert into agreements (member_id, version, at)
    select id, terms_version, since * 86400000 from members where terms_version is not null;

-- A printed card, of which only a hash of its digits is kept. A member has one at most.
create table cards (
    id text not null primary key,
    member_id text not null unique references members (id),
    digits_hash text not null unique,
    created_at bigint not null
);

-- Numbers of those who left: nobody gets one again, and no file brings one back. Nothing says whose it was.
create table former_numbers (
    number text not null primary key
);
