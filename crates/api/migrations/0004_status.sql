-- A status costs what is in it, however long a history is and however little the database knows of its tables yet.
-- The latest purchase that counts is the first of an index, and open lots are read from theirs alone.
create index purchases_latest on purchases (member_id, occurred_at)
    where points > 0 and returned_minor < total_minor;
drop index lots_open;
create index lots_open on lots (member_id, seq, remaining, available_at, expires_at) where remaining <> 0;
