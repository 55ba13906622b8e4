FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils ca-certificates git libc6-dev libcurl4 libedit2 libgcc-12-dev \
        libncurses6 libsqlite3-0 libstdc++-12-dev libxml2 libz3-4 pkg-config tzdata zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . /usr/local/swift
RUN rm /usr/local/swift/swift.Dockerfile
ENV PATH=/usr/local/swift/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
