# One image for all apps; docker-compose.yml says which of them a container runs.
FROM node:24-bookworm-slim AS base
WORKDIR /sluice
COPY package.json package-lock.json .npmrc ./

# No install script is needed: compilers come as binaries, and the project's own Node is in the image already.
FROM base AS build
RUN npm ci --ignore-scripts
COPY .swcrc ./
COPY apps apps
COPY libs libs
RUN node_modules/.bin/swc apps libs -d dist --quiet

FROM base AS dependencies
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /sluice
COPY package.json ./
COPY --from=dependencies /sluice/node_modules node_modules
COPY --from=build /sluice/dist dist
USER node
CMD ["node", "dist/apps/gateway/src/main.js"]
