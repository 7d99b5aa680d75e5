package auth

import (
	"context"
	"slices"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// DeviceInfo is a known device as its owner sees it: a browser that they have
// signed in with, which counts wrong passwords on its own.
type DeviceInfo struct {
	ID         string
	UserAgent  string    // of the latest sign-in; may be empty
	LastUsed   time.Time // the latest sign-in
	ThisDevice bool
	// TrustedUntil is until when the device skips the second step; zero: it does not.
	TrustedUntil time.Time
}

// Devices returns a person's known devices, this one first and then the most
// recently used. device is the device cookie of the request; it may be empty.
func (s *Service) Devices(ctx context.Context, userID, device string) (list []DeviceInfo, err error) {
	rows, err := s.store.Devices.ByUser(ctx, userID)
	this := models.HashToken(device)
	for _, row := range rows {
		info := deviceInfo(row)
		if info.ThisDevice = device != "" && row.DeviceHash == this; info.ThisDevice {
			list = append([]DeviceInfo{info}, list...)
			continue
		}
		list = append(list, info)
	}
	return list, err
}

func deviceInfo(row models.Device) DeviceInfo {
	return DeviceInfo{ID: row.ID(), UserAgent: row.UserAgent, LastUsed: row.LastUsedAt.Time(), TrustedUntil: row.TrustedUntil.Time()}
}

// RememberedDevices returns the devices of a person that skip the second step, in the
// order of Devices.
func (s *Service) RememberedDevices(ctx context.Context, userID, device string) ([]DeviceInfo, error) {
	list, err := s.Devices(ctx, userID, device)
	return slices.DeleteFunc(list, func(d DeviceInfo) bool { return !d.TrustedUntil.After(s.now()) }), err
}

// DistrustDevice makes a device of the person ask for the second step again, and
// returns it. It stays known, and its session continues. It returns apperr.NotFound
// when no such device skips the step.
func (s *Service) DistrustDevice(ctx context.Context, person *Identity, id string, client Client) (info DeviceInfo, err error) {
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.LockActive(ctx, tx, person)
		if err != nil {
			return err
		}
		row, err := tx.Devices.Distrust(ctx, id, user.ID)
		if err != nil {
			return err
		}
		info = deviceInfo(row)
		record(person.Actor(client).Event(audit.DeviceDistrust, user, audit.Details{}))
		return nil
	})
	return info, err
}

// ForgetDevice makes a known device of the person unknown again, and returns
// it. Its session continues. It returns apperr.NotFound when the person has no
// such device.
func (s *Service) ForgetDevice(ctx context.Context, person *Identity, id string, client Client) (info DeviceInfo, err error) {
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.LockActive(ctx, tx, person)
		if err != nil {
			return err
		}
		row, err := tx.Devices.Forget(ctx, id, user.ID)
		if err != nil {
			return err
		}
		info = deviceInfo(row)
		record(person.Actor(client).Event(audit.DeviceForget, user, audit.Details{}))
		return nil
	})
	return info, err
}
