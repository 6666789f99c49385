# One image for the web server, the worker and beat; docker-compose.yml says which runs what.
# torch comes as the platform's default build, on x86_64 with CUDA's libraries (some 5 GB), and runs
# on CPUs as well.
FROM python:3.12-slim AS build
RUN python -m venv /opt/venv
COPY requirements.lock .
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/fashrec --create-home fashrec
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FASHREC_ENV=production \
    FASHREC_HOME=/var/lib/fashrec/home \
    STATIC_ROOT=/app/staticfiles \
    BIND=0.0.0.0 \
    PORT=8000
# Collecting needs settings that load and no server; these values are not kept.
RUN SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=postgres://build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput \
    && install -d -o fashrec -g fashrec /var/lib/fashrec/home
USER fashrec
EXPOSE 8000
CMD ["gunicorn", "fashrec_site.wsgi"]
