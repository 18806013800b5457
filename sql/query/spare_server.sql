-- spare_server: from now on this session makes nothing that outlives its database.
select strata.spare_server()::text
