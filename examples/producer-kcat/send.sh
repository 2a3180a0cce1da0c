#!/bin/sh
# Sends one HR event with kcat: somebody leaves. The event is a file, whole, as the
# record's value (CloudEvents, structured mode).
set -eu
cd "$(dirname "$0")"

# acks: it is sent when the brokers have it safely. partitioner: as Kafka's own
# clients, which kcat is not by itself; one person, one partition, whoever sends.
kcat -P -b "${KAFKA_BROKERS:-localhost:9092}" -t "${KAFKA_TOPIC:-hr.events}" \
  -X acks=all -X topic.partitioner=murmur2_random \
  -k 10004 -H content-type=application/cloudevents+json \
  event.json
echo "sent end-10004-1"
