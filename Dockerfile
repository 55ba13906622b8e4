# Usher in a container: `usher serve` by default, any other of its commands if one is given.
ARG SWIFT_IMAGE=swift:6.1-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${SWIFT_IMAGE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcurl4-openssl-dev libhiredis-dev libical-dev libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /usher
COPY . .
RUN swift build -c release --static-swift-stdlib --product usher \
    && install -s "$(swift build -c release --static-swift-stdlib --show-bin-path)/usher" /usr/local/bin/usher

FROM ${DEBIAN_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libcurl4 libhiredis0.14 libical3 libssl3 \
        libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=build /usr/local/bin/usher /usr/local/bin/usher
# No user of the system: whoever it is can write nothing here.
USER 10001:10001
ENV USHER_HOST=0.0.0.0
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether the node is alive. Whether it wants requests (/readyz) is the balancer's question: a Redis that is away must
# not make an orchestrator replace every node.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["usher", "probe"]
ENTRYPOINT ["usher"]
CMD ["serve"]
