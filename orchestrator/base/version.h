/*
 * version.h - the version of this program: `migsafe --version`, manifests, reports.
 */
#ifndef MIGSAFE_BASE_VERSION_H
#define MIGSAFE_BASE_VERSION_H

#define MIGSAFE_VERSION "0.1.0"

#endif
