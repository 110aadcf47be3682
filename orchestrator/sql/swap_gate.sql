-- May newcomers be kept waiting at pg_authid?  The role must be a superuser, and no standby must
-- be there.  Looking up every role on the way: this session must not need pg_authid afterwards.
SELECT current_setting('is_superuser') = 'on'
       AND NOT EXISTS (SELECT FROM pg_stat_get_wal_senders())
       AND (SELECT count(pg_get_userbyid(oid)) FROM pg_roles) > 0
