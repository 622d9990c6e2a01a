# docker build --build-arg GIT_SHA="$(git rev-parse HEAD)" -t mesogpu .
# docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/work" mesogpu run wire.yaml
FROM nvidia/cuda:13.0.2-runtime-ubuntu24.04

# The release of Ubuntu fixes the versions; exact pins break at every security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/mesogpu \
    && useradd --uid 10001 --create-home mesogpu \
    && install --directory --owner=mesogpu /work

ARG GIT_SHA=unknown
COPY . /src
RUN MESOGPU_GIT_SHA="${GIT_SHA}" /opt/mesogpu/bin/pip install --no-cache-dir '/src[cuda13]' \
    && rm -rf /src

ENV PATH="/opt/mesogpu/bin:${PATH}"
USER 10001
WORKDIR /work
ENTRYPOINT ["mesogpu"]
CMD ["--help"]
