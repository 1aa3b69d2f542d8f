# One image for the three services; the command says which. Node 24 runs the TypeScript sources, nothing is built.
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps apps
COPY packages packages
RUN npm install --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
      --workspace=@cidadao/api --workspace=@cidadao/worker --workspace=@cidadao/scheduler \
    && rm -rf apps/local apps/cli packages/embedded packages/testing

FROM node:24.21.0-bookworm-slim
ENV ENVIRONMENT=production NODE_COMPILE_CACHE=/var/cache/node MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /app
COPY --from=packages --chown=root:root /app ./
COPY Procfile ./
RUN mkdir -p /var/cache/node && chown node:node /var/cache/node
USER node
# Each service once without its configuration: it loads everything, refuses to start (78), and leaves its compiled
# modules behind, so that every later start is quicker and needs no TypeScript stripper in memory.
RUN sed 's/^[a-z]*: //' Procfile | while read -r command; do $command || test $? -eq 78; done
EXPOSE 8000
# API on PORT, worker and scheduler on HEALTH_PORT.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT ?? process.env.PORT ?? 8000}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--memory-saver-mode", "--max-semi-space-size=4", "--v8-pool-size=1", "--no-maglev", "apps/api/src/main.ts"]
