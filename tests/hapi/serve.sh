#!/bin/sh
# Start or stop the in-memory FHIR server used by the tests.
#
#   serve.sh [start] [port]   build if needed, start, wait until it answers (does nothing if it already runs)
#   serve.sh stop [port]      stop the server that this script started on that port
#
# The port is the argument, else HAPI_PORT, else 8080. HAPI_WAIT is the longest wait in seconds (default 180).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=$here/target
jar=$target/hapi-test-server.jar
app=$target/app/hapi-test-server.jar

usage() {
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

command=start
case ${1:-} in
    start | stop) command=$1; shift ;;
esac
[ $# -le 1 ] || usage
port=${1:-${HAPI_PORT:-8080}}
case $port in
    '' | *[!0-9]*) usage ;;
esac

url=http://127.0.0.1:$port/fhir
pid_file=$target/hapi-$port.pid
log_file=$target/hapi-$port.log

# True if the pid file names a live process that is ours and not a stranger with a recycled id.
running() {
    [ -s "$pid_file" ] || return 1
    case $(ps -p "$(cat "$pid_file")" -o args= 2>/dev/null) in
        *"-Dhapi.port=$port "*) return 0 ;;
        *) return 1 ;;
    esac
}

answers() {
    curl --silent --fail --noproxy '*' --max-time 10 --output /dev/null "$url/metadata"
}

build() {
    if [ ! -f "$jar" ] || [ -n "$(find "$here/pom.xml" "$here/src" -type f -newer "$jar")" ]; then
        echo "Building the FHIR test server (the first time downloads about 300 MB) ..."
        mvn --quiet --batch-mode --file "$here/pom.xml" package
    fi
    # The same jar unpacked: starting from plain library files is several seconds faster.
    if [ ! -f "$app" ] || [ -n "$(find "$jar" -newer "$app")" ]; then
        rm -rf "$target/app"
        java -Djarmode=tools -jar "$jar" extract --destination "$target/app" >/dev/null
        touch "$app"
    fi
}

fail() {
    rm -f "$pid_file"
    echo "$1" >&2
    [ ! -s "$log_file" ] || tail -n 20 "$log_file" >&2
    exit 1
}

wait_until_ready() {
    deadline=$(($(date +%s) + ${HAPI_WAIT:-180}))
    until answers; do
        running || fail "The FHIR server did not start. Its log ends with:"
        [ "$(date +%s)" -lt "$deadline" ] || { stop; fail "The FHIR server gave no answer in time. Its log ends with:"; }
        sleep 0.5
    done
}

start() {
    if running; then
        wait_until_ready
        echo "The FHIR server is already running: $url"
        return
    fi
    if answers; then
        echo "Another FHIR server already answers at $url; choose another port." >&2
        exit 1
    fi
    build
    echo "Starting the FHIR server on port $port ..."
    nohup java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dhapi.port=$port" -jar "$app" \
        >"$log_file" 2>&1 </dev/null &
    echo $! >"$pid_file"
    wait_until_ready
    echo "The FHIR server is ready: $url"
}

stop() {
    if running; then
        pid=$(cat "$pid_file")
        kill "$pid"
        tries=0
        while running; do
            tries=$((tries + 1))
            [ "$tries" -lt 40 ] || { kill -9 "$pid"; break; }
            sleep 0.5
        done
        echo "The FHIR server on port $port has stopped."
    else
        echo "No FHIR server of ours runs on port $port."
    fi
    rm -f "$pid_file"
}

"$command"
