-- What is over is forgotten whenever somebody asks for a code: found without reading what still holds.
create index enrolments_by_end on enrolments (expires_at);
create index sessions_by_end on sessions (expires_at);
create index wrong_guesses_by_time on wrong_guesses (at);
