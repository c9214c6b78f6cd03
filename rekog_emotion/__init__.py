"""Facial analysis of images and videos with Amazon Rekognition, typed."""
