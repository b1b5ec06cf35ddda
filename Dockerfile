# One image for all four processes (docker-compose.yml says which is which). By itself it is the one-process product
# with its data under /data.
FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production TENANTRY_DATA=/data
COPY . .
RUN npm ci --omit=dev && npm cache clean --force && install -d -o node -g node /data
USER node
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 4000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "main.ts"]
