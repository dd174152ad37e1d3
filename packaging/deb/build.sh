#!/bin/sh
# Makes dist/callme_VERSION_ARCH.deb: CallMe with its locked Python packages in /usr/lib/callme, so that
# nothing is fetched when it is installed. Usage: packaging/deb/build.sh
set -eu
cd "$(dirname "$0")/../.."
. scripts/said.sh

python=/usr/bin/python3
[ -x "$python" ] || stop \
    "The package is built with Debian's own Python: install python3 and python3-venv." \
    "Пакет собирается с Python из Debian: установите python3 и python3-venv."
scripts/debian.sh -:python3-venv dpkg-deb:dpkg

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
arch=$(dpkg --print-architecture)
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
next=$("$python" -c 'import sys; print("%d.%d" % (sys.version_info[0], sys.version_info[1] + 1))')
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root home=$work/root/usr/lib/callme
log=$work/pip.log

pip() {
    "$home/bin/python" -m pip --disable-pip-version-check --no-input --quiet "$@" >"$log" 2>&1 || {
        tail -n 8 "$log" >&2
        stop "pip failed, see above." "pip завершился с ошибкой, см. выше."
    }
}

say "· Making the environment with Python $minor" "· Создаётся окружение с Python $minor"
mkdir -p "$home"
"$python" -m venv "$home"
say "· Installing the locked Python packages" "· Устанавливаются закреплённые пакеты Python"
pip install --require-hashes -r requirements.lock -r requirements-build.lock
pip install --no-deps --no-build-isolation --no-index .
sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements-build.lock >"$work/build"
sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements.lock >"$work/kept"
grep -vxF -f "$work/kept" "$work/build" >"$work/gone" || true
pip uninstall -y -r "$work/gone"
pip uninstall -y setuptools pip

say "· Putting the package together" "· Собирается пакет"
# What names this folder shall name the one where it will lie.
grep -rlIF "$root" "$home/bin" "$home/pyvenv.cfg" | xargs sed -i "s|$root||g"
find "$home/bin" -type f ! -name callme -delete
# Places, carriers and time zones of numbers are never asked for; they are two thirds of all bytes.
rm -rf "$home"/lib/python*/site-packages/phonenumbers/geodata \
    "$home"/lib/python*/site-packages/phonenumbers/carrierdata \
    "$home"/lib/python*/site-packages/phonenumbers/tzdata
rm -f "$home"/lib/python*/site-packages/*/direct_url.json
find "$home" -name '__pycache__' -prune -exec rm -rf {} +
"$python" -m compileall -q --invalidation-mode unchecked-hash -s "$root" "$home/lib"
mkdir -p "$root/usr/bin" "$root/lib/systemd/system" "$root/usr/share/doc/callme/examples" "$root/DEBIAN"
ln -s ../lib/callme/bin/callme "$root/usr/bin/callme"
"$home/bin/python" -c 'from callme.setup import unit; print(unit.packaged(), end="")' \
    >"$root/lib/systemd/system/callme.service"
cp LICENSE "$root/usr/share/doc/callme/copyright"
cp README.md README.ru.md CHANGELOG.md "$root/usr/share/doc/callme/"
gzip -9n "$root/usr/share/doc/callme/CHANGELOG.md"
cp callme.example.toml "$root/usr/share/doc/callme/examples/"
size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" \
    -e "s/@PYTHON@/$minor/" -e "s/@NEXT@/$next/" packaging/deb/control >"$root/DEBIAN/control"
for script in postinst prerm postrm; do
    install -m 755 "packaging/deb/$script" "$root/DEBIAN/$script"
done
find "$root" -newermt "@$epoch" -exec touch -h -d "@$epoch" {} +
chmod -R u=rwX,go=rX "$root"

mkdir -p dist
deb=dist/callme_${version}_$arch.deb
SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group -Zxz --build "$root" "$deb" >/dev/null
say "✔ $deb: apt install ./$deb" "✔ $deb: apt install ./$deb"
