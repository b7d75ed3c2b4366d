# The program as an image: `docker build --tag agesearch:cpu .`, or for NVIDIA GPUs
# `docker build --build-arg DEVICE=gpu --tag agesearch:gpu .`
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS build
ARG DEVICE=cpu
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# What the program needs has a layer of its own: it is large, and changes less often than the code. The environment has
# no pip, and pip installs into it from outside.
RUN python -c "import tomllib; \
    project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
    extras = {'cpu': ['postgres'], 'gpu': ['postgres', 'gpu']}['$DEVICE']; \
    print(*project['dependencies'], *sum(map(project['optional-dependencies'].get, extras), []), sep='\n')" \
    > requirements.txt \
 && python -m venv --without-pip /opt/agesearch \
 && python -m pip --python /opt/agesearch/bin/python install --no-cache-dir -c constraints.txt -r requirements.txt \
 && rm -r /opt/agesearch/lib/python*/site-packages/tensorflow/include
COPY README.md LICENSE agesearch.py ./
COPY data data
COPY model model
COPY search search
RUN python -m pip --python /opt/agesearch/bin/python install --no-cache-dir --no-deps .

FROM python:${PYTHON}
RUN groupadd --gid 10001 agesearch \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp agesearch \
 && install --directory --owner agesearch --group agesearch /runs
COPY --from=build /opt/agesearch /opt/agesearch
# Keras and matplotlib write their caches below HOME; NVIDIA's runtime gives a container the GPUs that it names.
ENV PATH=/opt/agesearch/bin:$PATH HOME=/tmp NVIDIA_DRIVER_CAPABILITIES=compute,utility
# Of the program's own files, `runs/study.db` and the like, all lie below /runs, where a volume belongs.
WORKDIR /
USER 10001:10001
STOPSIGNAL SIGINT
HEALTHCHECK --interval=2m --timeout=1m --start-period=2m CMD ["agesearch", "status"]
ENTRYPOINT ["agesearch"]
CMD ["--help"]
