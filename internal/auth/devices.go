package auth

import (
	"context"
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
	return DeviceInfo{ID: row.ID(), UserAgent: row.UserAgent, LastUsed: row.LastUsedAt.Time()}
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
