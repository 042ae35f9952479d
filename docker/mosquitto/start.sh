#!/bin/sh
# Makes the password file out of the environment, hashed, and becomes the broker. Nothing is printed. -b, since a file of plain
# passwords (-U) can't hold one with a colon; nobody else sees this container's processes.
# RUN and CONFIG are the container's folders; a test gives others.
set -eu
umask 077
RUN=${RUN:-/run/mosquitto}
CONFIG=${CONFIG:-/mosquitto/config/mosquitto.conf}
: "${MQTT_PASSWORD:?a password for the user bihuan}" "${MQTT_GATEWAY_PASSWORD:?a password for the user gateway}"
rm -f "$RUN/passwords"
mosquitto_passwd -c -b "$RUN/passwords" bihuan "$MQTT_PASSWORD"
mosquitto_passwd -b "$RUN/passwords" gateway "$MQTT_GATEWAY_PASSWORD"
unset MQTT_PASSWORD MQTT_GATEWAY_PASSWORD
exec mosquitto -c "$CONFIG"
