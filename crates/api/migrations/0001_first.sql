-- One text for SQLite and PostgreSQL: BIGINT and TEXT only. Instants are milliseconds since 1970, days are days
-- since 1970, money is whole minor units of the programme's currency, documents are JSON.

create table meta (
    name text not null primary key,
    value text not null
);

create table programme (
    id bigint not null primary key check (id = 1),
    revision bigint not null,
    document text not null
);

-- A reward that a later programme leaves out stays for the vouchers that were made from it.
create table rewards (
    id text not null primary key,
    position bigint not null,
    document text not null,
    stock bigint check (stock >= 0),
    removed_at bigint
);

-- Pictures, so that the API needs nothing but its database. The content is base64.
create table media (
    hash text not null primary key,
    extension text not null,
    content_type text not null,
    content text not null
);

create table staff (
    id text not null primary key,
    store text not null,
    code text not null,
    name text not null,
    role text not null,
    pin_hash text not null,
    unique (store, code)
);

-- The totals are running sums of the member's entries; `verify` checks them. `version` is what a writing
-- transaction raises first, which locks the member.
create table members (
    id text not null primary key,
    version bigint not null,
    number text not null unique,
    name text not null,
    email text unique,
    language text not null,
    since bigint not null,
    state text not null,
    contact text,
    unread_messages bigint not null,
    entry_count bigint not null,
    balance bigint not null,
    earned bigint not null,
    spent bigint not null,
    expired bigint not null
);

-- One open challenge for an address and a purpose: a new one takes the place of the old.
create table challenges (
    id text not null unique,
    address text not null,
    purpose text not null,
    code_hash text not null,
    demo_code text,
    created_at bigint not null,
    expires_at bigint not null,
    tries bigint not null,
    ended_at bigint,
    primary key (address, purpose)
);
create index challenges_by_end on challenges (expires_at);

-- Wrong guesses, counted here and not in a process, so that any number of processes count together.
create table wrong_guesses (
    id text not null primary key,
    subject text not null,
    at bigint not null
);
create index wrong_guesses_by_subject on wrong_guesses (subject, at);

-- An address that was proved and that nobody has yet.
create table enrolments (
    token_hash text not null primary key,
    address text not null,
    expires_at bigint not null
);

create table sessions (
    id text not null primary key,
    token_hash text not null unique,
    member_id text not null references members (id),
    created_at bigint not null,
    expires_at bigint not null
);
create index sessions_by_member on sessions (member_id);

-- What a purchase earned stands at its own rate, so that a return takes back exactly that.
create table purchases (
    id text not null primary key,
    store text not null,
    external_id text not null,
    member_id text references members (id),
    occurred_at bigint not null,
    total_minor bigint not null,
    earning_points bigint not null,
    earning_per_minor bigint not null,
    multiplier_permille bigint not null,
    points bigint not null,
    returned_minor bigint not null,
    forgiven bigint not null,
    unique (store, external_id)
);
create index purchases_by_member on purchases (member_id, occurred_at);

create table returns (
    id text not null primary key,
    purchase_id text not null references purchases (id),
    external_id text not null,
    store text not null,
    occurred_at bigint not null,
    amount_minor bigint not null,
    points bigint not null,
    unique (purchase_id, external_id)
);

create table redemptions (
    id text not null primary key,
    member_id text not null references members (id),
    reward_id text references rewards (id),
    title text,
    state text not null,
    code text not null unique,
    points bigint not null,
    money_minor bigint not null,
    created_at bigint not null,
    valid_until bigint not null,
    captured_at bigint
);
create index redemptions_by_member on redemptions (member_id, reward_id);

-- The ledger: nothing in it is changed or deleted. `seq` counts a member's entries.
create table entries (
    id text not null primary key,
    member_id text not null references members (id),
    seq bigint not null,
    at bigint not null,
    kind text not null,
    points bigint not null,
    worth_minor bigint not null,
    balance_after bigint not null,
    reason text,
    purchase_id text references purchases (id),
    return_id text references returns (id),
    redemption_id text references redemptions (id),
    available_at bigint,
    expires_at bigint,
    unique (member_id, seq)
);
create index entries_by_time on entries (member_id, at, seq);

-- Points that came together; below zero, a debt. `seq` is the place among the member's lots.
create table lots (
    id text not null primary key,
    member_id text not null references members (id),
    seq bigint not null,
    entry_id text not null references entries (id),
    purchase_id text references purchases (id),
    points bigint not null,
    remaining bigint not null,
    expired bigint not null,
    available_at bigint not null,
    expires_at bigint,
    unique (member_id, seq)
);
create index lots_open on lots (member_id, seq) where remaining <> 0;
create index lots_by_purchase on lots (purchase_id);

-- What counts towards a tier: the points of each day's purchases, less their returns.
create table qualifying (
    member_id text not null references members (id),
    day bigint not null,
    points bigint not null,
    primary key (member_id, day)
);

create table quotes (
    id text not null primary key,
    member_id text not null references members (id),
    intent text not null,
    reward_id text references rewards (id),
    points bigint not null,
    money_minor bigint not null,
    conditions text not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index quotes_by_member on quotes (member_id, expires_at);
