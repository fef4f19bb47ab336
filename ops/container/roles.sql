-- The two roles of a PostgreSQL server of one's own, and the database between them. Run once, as a
-- superuser, by psql 15 or later, with the two passwords in the environment:
--
--   DOSSIER_OWNER_PASSWORD=… DOSSIER_APP_PASSWORD=… psql -v ON_ERROR_STOP=1 -f roles.sql
--
-- dossier_owner owns the schemas and migrates them (--owner-database-url). dossier_app is what the
-- server runs as (--database-url): it reads and inserts events, and can change none. What it may do
-- it is granted by the server at each start.

\getenv owner_password DOSSIER_OWNER_PASSWORD
\getenv app_password DOSSIER_APP_PASSWORD

create role dossier_owner login password :'owner_password';
create role dossier_app login password :'app_password';

create database dossier
    owner dossier_owner
    encoding 'UTF8'
    locale 'C'
    template template0;

revoke all on database dossier from public;
grant connect on database dossier to dossier_app;

\connect dossier
revoke create on schema public from public;
alter schema public owner to dossier_owner;
