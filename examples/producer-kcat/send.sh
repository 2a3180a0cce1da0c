#!/bin/sh
# Sends one HR event with kcat: somebody leaves. The record's value is the whole event,
# from a file (CloudEvents, structured mode).
set -eu
cd "$(dirname "$0")"

# acks: the event counts as sent once all in-sync replicas have it. partitioner: Kafka's own
# clients use this one, and kcat another by default; with it, one person has one partition
# whichever client sends.
kcat -P -b "${KAFKA_BROKERS:-localhost:9092}" -t "${KAFKA_TOPIC:-hr.events}" \
  -X acks=all -X topic.partitioner=murmur2_random \
  -k 10004 -H content-type=application/cloudevents+json \
  event.json
echo "sent end-10004-1"
