-- The casts that there are beside those from and to text.
SELECT format_type(castsource, -1) AS source, format_type(casttarget, -1) AS target FROM pg_cast
