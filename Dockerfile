# CallMe in a container: docker compose up (compose.yaml) or
#   docker build -t callme . && docker run -v ./callme.toml:/etc/callme/callme.toml:ro -v callme:/var/lib/callme callme
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/callme
RUN /opt/callme/bin/pip install --no-cache-dir --require-hashes -r requirements.lock -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY callme ./callme
RUN /opt/callme/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg openssh-client \
    && rm -rf /var/lib/apt/lists/*
# A fixed number, so that a file of the host can be given to it: chown 10001 callme.toml
RUN useradd --uid 10001 --home-dir /var/lib/callme --create-home --shell /usr/sbin/nologin callme
COPY --from=build /opt/callme /opt/callme
ENV PATH=/opt/callme/bin:$PATH CALLME_CONFIG=/etc/callme/callme.toml CALLME_SERVICE__DATA_DIR=/var/lib/callme
USER 10001
WORKDIR /var/lib/callme
VOLUME /var/lib/callme
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["callme"]
CMD ["run"]
