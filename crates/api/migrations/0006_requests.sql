-- What a member asks of the shop, and what their open screens are told.

-- The member's version at which the voucher came to its state: whoever knows that version knows the voucher.
alter table redemptions add column version bigint not null default 0;

-- A purchase that was made without a number, and that somebody says was theirs. `bought_from` and `bought_until` are
-- the instants between which it must have been made; `purchase_id` is there once it is theirs.
create table claims (
    id text not null primary key,
    member_id text not null references members (id),
    store text not null,
    receipt text not null,
    total_minor bigint not null,
    bought_on bigint not null,
    bought_from bigint not null,
    bought_until bigint not null,
    state text not null,
    points bigint,
    reason text,
    purchase_id text unique references purchases (id),
    created_at bigint not null,
    unique (member_id, store, receipt)
);
create index claims_by_member on claims (member_id, created_at, id);
create index claims_waiting on claims (created_at) where state = 'waiting';

-- What somebody says is wrong. `reference` is what it is called on the phone.
create table reports (
    id text not null primary key,
    reference text not null unique,
    member_id text not null references members (id),
    entry_id text references entries (id),
    redemption_id text references redemptions (id),
    text text not null,
    created_at bigint not null,
    closed_at bigint
);
create index reports_by_member on reports (member_id, created_at, id);
create index reports_open on reports (created_at) where closed_at is null;
