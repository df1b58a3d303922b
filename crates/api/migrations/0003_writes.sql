-- Everything that a write needs: what was taken from which lot, answers to be given again, who may do what, and
-- what is still to be told to others.

-- `saved_minor` is what captured vouchers really took off. `due_at` is the next instant at which time itself changes
-- something for the member (points that activate or expire, a reservation that lapses, a tier that ends, a notice that
-- is due): the worker looks only at members whose instant has come. `told_tier` and `told_expiring_until` are what
-- others were last told of. `tier_history` is what a tier is reckoned from in one text; it can always be thrown away.
alter table members add column saved_minor bigint not null default 0;
alter table members add column adjusted bigint not null default 0;
alter table members add column lot_count bigint not null default 0;
alter table members add column due_at bigint;
alter table members add column told_tier text;
alter table members add column told_expiring_until bigint not null default 0;
alter table members add column tier_history text;
alter table members add column birthday bigint;
alter table members add column store text;
alter table members add column terms_version bigint;
alter table members add column consents text;
alter table members add column referral_code text;
update members set lot_count = (select count(*) from lots where lots.member_id = members.id), due_at = 0,
    saved_minor = (select coalesce(sum(money_minor), 0) from redemptions
        where redemptions.member_id = members.id and state = 'captured');
create index members_due on members (due_at) where due_at is not null;

-- The till's own words are kept as a fingerprint, so that the same again is told from something else, with what was
-- answered. `member_number` is what the till said, whether or not anybody has it.
alter table purchases add column member_number text;
alter table purchases add column fingerprint text;
alter table purchases add column answer text;
alter table returns add column fingerprint text;
alter table returns add column answer text;

create table purchase_lines (
    purchase_id text not null references purchases (id),
    position bigint not null,
    sku text not null,
    category text,
    quantity bigint not null check (quantity > 0),
    total_minor bigint not null check (total_minor >= 0),
    returned bigint not null check (returned >= 0 and returned <= quantity),
    primary key (purchase_id, position)
);

-- A lot of points that came back after its own end: it lasts a week, and does not come back again.
alter table lots add column grace bigint not null default 0;

-- `captured_*` is what the till really used: less than the voucher where the basket was smaller.
alter table redemptions add column quote_id text;
alter table redemptions add column conditions text not null default '[]';
alter table redemptions add column captured_points bigint;
alter table redemptions add column captured_minor bigint;
alter table redemptions add column store text;
alter table redemptions add column ended_at bigint;
update redemptions set captured_points = points, captured_minor = money_minor where state = 'captured';
create index redemptions_by_time on redemptions (member_id, created_at, id);
create index redemptions_reserved on redemptions (member_id, valid_until) where state = 'reserved';

-- From which lots a redemption's points came, in the order in which they were taken, and how many went back.
create table redemption_lots (
    redemption_id text not null references redemptions (id),
    position bigint not null,
    lot_id text not null references lots (id),
    points bigint not null check (points > 0),
    returned bigint not null check (returned >= 0 and returned <= points),
    primary key (redemption_id, position)
);

-- The first answer to a request, to be given again: written in the transaction of its effect.
create table idempotency (
    scope text not null,
    key text not null,
    fingerprint text not null,
    status bigint,
    language text,
    body text,
    created_at bigint not null,
    primary key (scope, key)
);
create index idempotency_by_time on idempotency (created_at);

-- Keys for tills and a CRM. `store` is the only one that it may speak for; null for every one.
create table api_keys (
    id text not null primary key,
    name text not null,
    key_hash text not null unique,
    scopes text not null,
    store text,
    created_at bigint not null,
    revoked_at bigint
);

-- `member_id` is the staff member's own account, which they must not adjust.
alter table staff add column member_id text references members (id);
alter table staff add column disabled_at bigint;

-- A device at a counter that a manager has paired, and the codes by which the next one is.
create table devices (
    id text not null primary key,
    store text not null,
    name text not null,
    token_hash text not null unique,
    paired_at bigint not null,
    revoked_at bigint
);
create table pairings (
    code_hash text not null primary key,
    store text not null,
    expires_at bigint not null
);

-- Wrong PINs in a row: one row for a device, a store and a code, so that guesses at once are counted one by one.
create table pin_guesses (
    subject text not null primary key,
    wrong bigint not null,
    at bigint not null
);

create table staff_sessions (
    id text not null primary key,
    token_hash text not null unique,
    staff_id text not null references staff (id),
    device_id text references devices (id),
    created_at bigint not null,
    seen_at bigint not null
);
create index staff_sessions_by_staff on staff_sessions (staff_id);

-- How many points one member of staff, or one key, gave and took on a day of the programme.
create table adjustment_days (
    actor text not null,
    day bigint not null,
    points bigint not null,
    primary key (actor, day)
);

-- Who did what to whom, for a shop to look at. `actor` is `staff:<id>` or `key:<id>`.
create table audit (
    id text not null primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    member_id text references members (id),
    detail text
);
create index audit_by_time on audit (at);

-- What happened, to be told to whoever subscribed: written in the transaction in which it happened.
-- `fanned_out_at` is when deliveries were made of it.
create table outbox (
    id text not null primary key,
    at bigint not null,
    kind text not null,
    member_id text references members (id),
    body text not null,
    fanned_out_at bigint
);
create index outbox_waiting on outbox (at) where fanned_out_at is null;
create index outbox_by_time on outbox (at);

create table webhooks (
    id text not null primary key,
    url text not null,
    kinds text not null,
    created_at bigint not null,
    removed_at bigint
);

-- `next_at` is null once it was delivered or given up.
create table deliveries (
    id text not null primary key,
    webhook_id text not null references webhooks (id),
    event_id text not null references outbox (id) on delete cascade,
    attempts bigint not null,
    next_at bigint,
    tried_at bigint,
    delivered_at bigint,
    last_result text
);
create index deliveries_due on deliveries (webhook_id, next_at) where next_at is not null;
create index deliveries_by_event on deliveries (event_id);

-- A file that is or was imported, known by what is in it, and its rows until each member's were booked. `known` is how
-- many rows were there already.
create table imports (
    id text not null primary key,
    kind text not null,
    fingerprint text not null,
    started_at bigint not null,
    lines_read bigint not null,
    read_at bigint,
    finished_at bigint,
    booked bigint not null,
    known bigint not null,
    unique (kind, fingerprint)
);
create table import_rows (
    import_id text not null references imports (id),
    line bigint not null,
    member_number text not null,
    store text not null,
    external_id text not null,
    occurred_at bigint not null,
    total_minor bigint not null,
    primary key (import_id, line),
    unique (import_id, store, external_id)
);
create index import_rows_by_member on import_rows (import_id, member_number, occurred_at);
create table import_rejects (
    import_id text not null references imports (id),
    line bigint not null,
    reason text not null,
    primary key (import_id, line)
);
