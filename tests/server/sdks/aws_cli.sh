#!/bin/sh
# The AWS CLI against the endpoint of the environment: $1 is aws, $2 a photo, $3 bucket, $4 key of a video.
# Prints three lines of JSON: the answer to detect-faces, that to start-face-detection, and the page of the ended job.
set -eu
aws() { command "$AWS" --output json "$@" | tr -d '\n'; echo; }
AWS="$1"
aws rekognition detect-faces --image-bytes "fileb://$2" --attributes ALL
job="$(aws rekognition start-face-detection --video "S3Object={Bucket=$3,Name=$4}" --face-attributes ALL)"
echo "$job"
id="$(echo "$job" | sed 's/.*"JobId": *"\([^"]*\)".*/\1/')"
while page="$(aws rekognition get-face-detection --job-id "$id" --max-results 1000)"; do
    case "$page" in *'"IN_PROGRESS"'*) sleep 1 ;; *) break ;; esac
done
echo "$page"
