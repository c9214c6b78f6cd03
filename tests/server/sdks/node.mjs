// The AWS SDK for JavaScript against the endpoint of the environment: the arguments are the folder that has
// node_modules, a photo, bucket and key of a video. Prints three lines of JSON: the answer to DetectFaces, that to
// StartFaceDetection, and the page of the ended job.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout } from "node:timers/promises";

const [folder, photo, bucket, key] = process.argv.slice(2);
const { RekognitionClient, DetectFacesCommand, StartFaceDetectionCommand, GetFaceDetectionCommand } =
  createRequire(`${folder}/`)("@aws-sdk/client-rekognition");
const client = new RekognitionClient();
const print = (answer) => console.log(JSON.stringify(answer));

print(await client.send(new DetectFacesCommand({ Image: { Bytes: readFileSync(photo) }, Attributes: ["ALL"] })));
const Video = { S3Object: { Bucket: bucket, Name: key } };
const job = await client.send(new StartFaceDetectionCommand({ Video, FaceAttributes: "ALL" }));
print(job);
let page;
do {
  await setTimeout(500);
  page = await client.send(new GetFaceDetectionCommand({ JobId: job.JobId, MaxResults: 1000 }));
} while (page.JobStatus === "IN_PROGRESS");
print(page);
