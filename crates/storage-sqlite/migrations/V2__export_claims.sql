-- When an export of the batch's secrets began that has not ended yet. It lapses, because a server that dies
-- does not end its exports.
ALTER TABLE batch ADD COLUMN export_claimed_at INTEGER;
