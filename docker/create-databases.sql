-- Run by the container of PostgreSQL on an empty volume. Each app migrates its own database at start.
-- A new app on an old volume: docker compose exec postgres createdb --username=sluice <database>
CREATE DATABASE sluice_seckill;
CREATE DATABASE sluice_order;
CREATE DATABASE sluice_catalog;
CREATE DATABASE sluice_points;
CREATE DATABASE sluice_notification;
CREATE DATABASE sluice_merchant_notifier;
CREATE DATABASE sluice_recommendation;
CREATE DATABASE sluice_statistics;
CREATE DATABASE sluice_sandbox;
