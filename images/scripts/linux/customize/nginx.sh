#!/bin/bash
# Installs nginx as a plain web server: no version told, one page to see that it answers. A team's
# own sites go into /etc/nginx/sites-enabled.
set -euo pipefail
umask 022

root="${ASSAY_ROOT:-}"
export DEBIAN_FRONTEND=noninteractive

apt-get -y -o DPkg::Lock::Timeout=300 install nginx

mkdir -p "$root/etc/nginx/conf.d" "$root/etc/nginx/sites-available" \
    "$root/etc/nginx/sites-enabled" "$root/var/www/html"
cat > "$root/etc/nginx/conf.d/60-assay.conf" <<'END'
server_tokens off;
add_header X-Content-Type-Options nosniff always;
END
cat > "$root/etc/nginx/sites-available/default" <<'END'
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    root /var/www/html;
    server_name _;
    location / {
        try_files $uri $uri/ =404;
    }
}
END
ln -sfn ../sites-available/default "$root/etc/nginx/sites-enabled/default"
printf 'It works.\n' > "$root/var/www/html/index.html"
rm -f "$root/var/www/html/index.nginx-debian.html"

systemctl enable nginx.service
